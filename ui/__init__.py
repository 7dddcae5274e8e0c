"""What pages share: cached loaders, the sidebar's choice, the filter bar, panels and the error boundary."""
