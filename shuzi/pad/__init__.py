"""The page to write on."""
