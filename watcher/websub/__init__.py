"""WebSub: feeds that come by themselves. What is asked of hubs, and what their pushes are worth."""
