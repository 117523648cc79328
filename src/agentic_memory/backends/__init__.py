"""One folder for each thing outside the process. Only `bootstrap` knows them."""
