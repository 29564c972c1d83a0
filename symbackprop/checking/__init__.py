"""From two functions to a verdict: read the request, trace, prove or refute, say what is wrong and repair it."""
