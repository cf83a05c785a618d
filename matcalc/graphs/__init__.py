"""The computation graph: values flow forward along its edges, gradients back."""
