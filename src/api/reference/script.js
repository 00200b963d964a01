fetch("/v1/openapi.json")
