"""The mail server for cameras that can only mail their pictures: it only takes pictures out of mails."""
