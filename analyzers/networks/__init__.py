"""Neural networks on OpenVINO, as analyzers use them."""
