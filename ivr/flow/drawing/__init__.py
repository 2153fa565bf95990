"""A flow as a picture, and what calls have covered of it."""
