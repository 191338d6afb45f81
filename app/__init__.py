"""The snapshot service: triggers and uploads become pictures, detections, events and archived copies."""
