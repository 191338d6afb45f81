"""Who is told of an event: rules over cameras, labels, zones, times and modes, and what people switch by hand."""
