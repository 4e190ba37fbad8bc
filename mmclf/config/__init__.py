"""The configuration: composed, checked whole, and its components built.

the way     compose, composer, overrides: command lines to checked configurations;
            component_overrides: to a component that was composed before
to load     shipped, loader, repository, hydra_policy: all that Hydra loads, checked before use
to check    composed, validate, schema, signature_check, pydantic_messages, validation_cache
components  components (which groups have them), targets, moved_targets, user_modules
"""
