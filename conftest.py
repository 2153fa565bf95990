"""In a clone nothing is installed: the plugin that the wheel brings is named here, so that `pytest calls` plays call files."""

pytest_plugins = ["ivr.testing.plugin"]
