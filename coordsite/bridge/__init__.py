"""The MCP bridge: tools over stdio and HTTP, an HTTP client of the service."""
