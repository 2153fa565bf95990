"""From a prompt's name and values to the words of a language: templates, numbers, money, and what a prompt must say."""
