"""Learners on games without sampling: values, gradients of any order, and update rules, exactly."""
