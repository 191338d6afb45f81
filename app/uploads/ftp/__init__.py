"""The FTP server that cameras upload to: it only writes files."""
