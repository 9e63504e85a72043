"""A scripted language model behind OpenAI's chat completions API: it says what a test or a demo wants it to say."""
