"""Everything held about one student as one file for them (GDPR, Article 15), and nothing about anybody else."""
