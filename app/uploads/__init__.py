"""What receives uploads from cameras: FTP and mail servers, the watched folder, and the inbox."""
