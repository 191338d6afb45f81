"""RabbitMQ: connections that come back by themselves, acknowledged consuming, confirmed publishing."""
