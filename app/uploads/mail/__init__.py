"""The mail server for cameras that can only mail their pictures: it takes the pictures out of mails."""
