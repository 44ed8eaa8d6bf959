"""What the export.py of the image models share: a network as a list of layers, spelled out as ONNX twice.

network.py says what a list of layers is; efficientnet.py and keras.py (fed by tfjs.py) make one of published
weights. float_graph.py and int8_graph.py write it down as ONNX, by way of graph.py; calibration.py finds the
ranges of the int8 graph. export.py makes both files, holds them against PyTorch and writes their checksums.
"""
