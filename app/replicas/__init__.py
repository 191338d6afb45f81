"""Replicas: several services that share one RabbitMQ, each with a journal of its own."""
