"""What ``coord init`` lays into an application repository: files, hooks and guards."""
