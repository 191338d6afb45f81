"""`make setup`: writes docker-compose.yml and .env."""
