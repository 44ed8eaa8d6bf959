"""What the export.py of the image models share: a network as a list of layers, spelled out as ONNX twice.

network.py says what a list of layers is, float_graph.py and int8_graph.py write it down as ONNX, weights.py
and calibration.py find the numbers of the int8 graph, export.py makes, checks and writes it all. Where layers
come from is the business of efficientnet.py and keras.py, or of an export.py itself.
"""
