"""Whose side does a sentence take, and in what tone?"""
