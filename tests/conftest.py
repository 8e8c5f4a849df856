import signal

import pytest

# Where the tests are started in the background, Ctrl-C is ignored, and so it would be by the programs they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also what takes long: a hundred kills where there are four")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: only with --slow")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="only with --slow"))


@pytest.fixture(scope="session")
def kills(request):
    """How often a test kills a run."""
    return 100 if request.config.getoption("--slow") else 4
