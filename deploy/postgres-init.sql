-- Accounts have a database of their own, as MLflow keeps the version of its tables in each.
CREATE DATABASE auth;
