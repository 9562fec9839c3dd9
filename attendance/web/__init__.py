"""The teachers' pages: one module a page family. Views read the request, call one function, answer."""
