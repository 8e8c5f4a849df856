"""A page to write on: model.keras → predictions while you write; drawings → hwtrainset/."""

from shuzi.core.files import run
from shuzi.pad.server import main

if __name__ == "__main__":
    run(main)
