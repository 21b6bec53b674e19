"""Alembic migrations, run at start and by `offhook db upgrade`."""
