"""Finding an operation among all documents."""
