import signal

# Where the tests are started in the background, Ctrl-C is ignored, and so it would be by the programs they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
