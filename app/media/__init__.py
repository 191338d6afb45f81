"""Pictures as pictures: examined, fitted to limits, made small, drawn upon."""
