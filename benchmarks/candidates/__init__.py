"""What the service is measured against; each module is an application that uvicorn serves."""
