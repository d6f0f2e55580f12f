"""The counterpart of the warm trials."""
