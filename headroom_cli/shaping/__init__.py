"""What makes models write less: a constant block of instructions, and less thinking where little is to be thought."""
