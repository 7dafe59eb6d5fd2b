"""What the project costs and saves, beside what else there is; each module is a command."""
