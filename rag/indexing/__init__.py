"""From a folder of files to an index equal to it."""
