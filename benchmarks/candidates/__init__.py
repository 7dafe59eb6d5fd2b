"""Applications that the service is compared with; uvicorn serves each module."""
