"""What operators see: metrics, heartbeat, monitors outside."""
