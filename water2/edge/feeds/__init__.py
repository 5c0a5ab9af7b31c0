"""What machines read of outages: Atom, CAP 1.2 and iCalendar, made of public values alone."""
