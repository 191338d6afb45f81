"""MQTT 3.1.1: connections that reconnect by themselves, confirmed publishing, acknowledged receiving."""
