"""Release of one version: files, images and charts, from the last commit."""
