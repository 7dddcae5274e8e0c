"""Work that goes on by itself: commands as processes of their own, in a queue, that outlive whoever started them."""
