"""Which database and which channel layer the tests run on, and real servers to run them on."""
