"""The demo class: real photos of public figures, composed into a lesson and sent in as a camera would."""
