"""RabbitMQ: connections that reconnect by themselves, acknowledged consuming, confirmed publishing."""
