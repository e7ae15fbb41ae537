"""Amazon SQS: one module for each of its nouns."""
