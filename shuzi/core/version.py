"""Numbers that tell versions apart."""

VERSION = "2.0.0"  # of the program
PREPARATION = 2  # goes up with any change of shuzi/ink that changes what comes out: then datapro.py makes all anew
