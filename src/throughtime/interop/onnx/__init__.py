"""ONNX files: networks and forecasters as graphs for other runtimes, and recurrent operators as layers."""
