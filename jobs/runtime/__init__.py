"""What a job is: command line, execution, pipeline, configuration, session, log."""
