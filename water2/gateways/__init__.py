"""The ways out: SMS, mail, webhooks and group robots, each behind `domain.sending.Gateway`."""
