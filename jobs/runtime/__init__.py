"""Running jobs: command line, execution, pipeline, configuration, session, log."""
